namespace MLTransfer;

/// <summary>How far an evaluation of pictures has come.</summary>
/// <param name="ImageCount">The pictures, real and generated ones, that were read.</param>
public sealed record ImageEvaluationProgress(int ImageCount);
