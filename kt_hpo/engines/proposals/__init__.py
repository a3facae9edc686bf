"""What several engines propose with: samplers, surrogate models, mutation, perturbation."""
