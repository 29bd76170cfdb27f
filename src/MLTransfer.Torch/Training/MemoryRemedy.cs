namespace MLTransfer.Torch.Training;

/// <summary>A change of options that lets training take less memory.</summary>
/// <param name="Change">What to set, such as <c>GradientCheckpointing = true</c>.</param>
/// <param name="Estimate">What training takes then.</param>
internal sealed record MemoryRemedy(string Change, MemoryEstimate Estimate);
