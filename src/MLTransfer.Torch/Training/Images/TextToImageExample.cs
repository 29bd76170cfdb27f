namespace MLTransfer.Torch.Training.Images;

/// <summary>A picture to train on.</summary>
/// <param name="Caption">Says what is to be seen; null or empty for nothing.</param>
/// <param name="Codes">The picture's codes, row by row, as <see cref="ImageCodeCache"/> makes them.</param>
public sealed record TextToImageExample(string? Caption, IReadOnlyList<int> Codes);
