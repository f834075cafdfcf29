package hidden

func Unseen() {}
