package oauth

import "slices"

// allowScopes returns the scopes that a client gets which asks for some: those
// that it, this server and whoever grants them have in common. To ask for one
// that the client may not have is an error (RFC 6749 section 5.2); that the
// person does not have one narrows what is granted.
func (s *Server) allowScopes(c *Client, asked, most []string) ([]string, error) {
	particular := asked != nil
	if !particular {
		asked = c.Scopes
	}
	granted := []string{}
	for _, name := range asked {
		if _, known := s.scopes[name]; !known || !slices.Contains(c.Scopes, name) {
			if particular {
				return nil, refuse(ErrInvalidScope, "The client may not have a scope that it asks for.")
			}
			continue // an entry may know of more than this server
		}
		if (most == nil || slices.Contains(most, name)) && !slices.Contains(granted, name) {
			granted = append(granted, name)
		}
	}
	return granted, nil
}

// allowResources returns the resources that a client gets tokens for which asks
// for some (RFC 8707 section 2): the first that it may where it asks for none.
func (s *Server) allowResources(c *Client, asked []string) ([]string, error) {
	if len(asked) == 0 {
		for _, r := range s.config.Resources {
			if c.mayReach(r) {
				return []string{r}, nil
			}
		}
		return nil, refuse(ErrInvalidTarget, "There is no resource that the client may use.")
	}
	var granted []string
	for _, r := range asked {
		if !slices.Contains(s.config.Resources, r) || !c.mayReach(r) {
			return nil, refuse(ErrInvalidTarget, "The client may not use a resource that it asks for.")
		}
		if !slices.Contains(granted, r) {
			granted = append(granted, r)
		}
	}
	return granted, nil
}

// mayReach reports whether the client may have tokens for a resource.
func (c *Client) mayReach(resource string) bool {
	return c.Resources == nil || slices.Contains(c.Resources, resource)
}

// narrowResources returns those of the granted resources that the client asks for,
// and all of them where it asks for none, as far as it may still reach them.
func (s *Server) narrowResources(c *Client, asked, granted []string) ([]string, error) {
	for _, r := range asked {
		if !slices.Contains(granted, r) {
			return nil, refuse(ErrInvalidTarget, "The client asks for a resource that it was not granted.")
		}
	}
	if len(asked) == 0 {
		for _, r := range granted {
			if c.mayReach(r) && slices.Contains(s.config.Resources, r) {
				asked = append(asked, r)
			}
		}
	}
	if len(asked) == 0 {
		return nil, refuse(ErrInvalidTarget, "The client may not use what it was granted any more.")
	}
	return s.allowResources(c, asked)
}

// asked returns the scopes and the resources that a client gets which asks for
// some at the token endpoint; most is what whoever grants them has, and nil for no
// bound.
func (s *Server) asked(t *tokenRequest, most []string) (scopes, resources []string, err error) {
	names, err := t.params.scopes()
	if err != nil {
		return nil, nil, err
	}
	if !s.knowsScopesOf(t.client) {
		return nil, nil, errScopesElsewhere
	}
	if scopes, err = s.allowScopes(t.client, names, most); err != nil {
		return nil, nil, err
	}
	resources, err = s.allowResources(t.client, t.params.all("resource"))
	return scopes, resources, err
}

var errScopesElsewhere = refuse(ErrInvalidScope, "The server has none of the scopes of the client.")

// knowsScopesOf reports whether the server has any of the client's scopes, if there
// are some. A token without any would look like one that was granted.
func (s *Server) knowsScopesOf(c *Client) bool {
	known := func(name string) bool { return s.scopes[name].Name != "" }
	return len(c.Scopes) == 0 || slices.ContainsFunc(c.Scopes, known)
}

// some is a list that is not nil, for which an absent one would mean no bound.
func some(list []string) []string { return append([]string{}, list...) }
