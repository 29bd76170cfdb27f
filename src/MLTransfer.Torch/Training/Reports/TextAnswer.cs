namespace MLTransfer.Torch.Training.Reports;

/// <summary>A text that was generated.</summary>
/// <param name="Input">The prompt.</param>
/// <param name="Text">The continuation, without the prompt.</param>
public sealed record TextAnswer(string Input, string Text) : SampleAnswer(Input);
