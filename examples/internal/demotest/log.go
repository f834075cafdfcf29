package demotest

// Log returns what the program has written to standard error. It must have
// ended: see [Program.Stop].
func (p *Program) Log() string { return p.stderr.String() }
