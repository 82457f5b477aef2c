"""All that evaluators find beside the standard library and installed packages; nothing else imports it."""
