"""Work over the whole city: closing days, examining the stores."""
