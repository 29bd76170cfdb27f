namespace MLTransfer;

/// <summary>A span that a model wrote as it stands in a training row.</summary>
/// <param name="Prompt">What the model continued.</param>
/// <param name="Text">The span.</param>
/// <param name="TokenCount">Its length in tokens.</param>
/// <param name="Row">The number of the training row, from 0, rows without a text counted.</param>
public sealed record CopiedText(string Prompt, string Text, int TokenCount, long Row);
