package sub

func Under() {}
