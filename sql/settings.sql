-- What the registry's settings say, where a query needs it: as of the build of the warehouse.

-- The users (else sessions) below which a group of them is not shown on its own.
CREATE MACRO smallest_group() AS {{ smallest_group }};
