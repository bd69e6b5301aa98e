"""Who advises: the protocol and the kinds of teacher."""
