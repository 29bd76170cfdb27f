namespace MLTransfer.Torch.Training.Reports;

/// <summary>What a model answered, while it was trained, to an input that stays the same over the run.</summary>
/// <param name="Input">The prompt, or the name of another kind of input, such as <c>seed 7</c>.</param>
public abstract record SampleAnswer(string Input);
