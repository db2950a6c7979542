"""What a million invitations cost on AWS, by line, beside SES alone: counts and list prices."""
