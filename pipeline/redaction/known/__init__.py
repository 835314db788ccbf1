"""What a trace itself knows: values under telling keys, in all the forms they may take."""
