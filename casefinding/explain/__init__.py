"""Why a person stands on a list: plain sentences from their own record, never more than the record says."""
