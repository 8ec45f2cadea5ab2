"""E-mail over SMTP: to buyers, through the mail server a shop already has."""
