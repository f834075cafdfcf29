package auth

// Guard is under construction.
type Guard struct{}
