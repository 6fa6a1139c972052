"""The command line: parse, call one function, show. The only place that prints, exits or reads the environment."""
