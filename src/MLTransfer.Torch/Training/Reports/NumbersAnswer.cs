namespace MLTransfer.Torch.Training.Reports;

/// <summary>What a network computed.</summary>
/// <param name="Input">Which row it was given.</param>
/// <param name="Numbers">The output, row-major.</param>
/// <param name="Expected">What the row has as its target.</param>
public sealed record NumbersAnswer(string Input, IReadOnlyList<float> Numbers, IReadOnlyList<float> Expected) : SampleAnswer(Input);
