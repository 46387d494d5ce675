"""Who may do what: protected mode, tokens, logins, permissions and the audit trail."""
