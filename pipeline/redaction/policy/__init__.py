"""What is personal here: the registry's policy, read, checked and tried out."""
