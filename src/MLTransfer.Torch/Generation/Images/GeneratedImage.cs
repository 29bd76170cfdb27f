namespace MLTransfer.Torch.Generation.Images;

/// <summary>A picture that was generated.</summary>
/// <param name="Pixels">[3, side, side]: red, green and blue plane, row by row, from 0 to 1.</param>
/// <param name="Side">Pixels along a side.</param>
/// <param name="Codes">The picture's codes, row by row, kept ones among them.</param>
public sealed record GeneratedImage(float[] Pixels, int Side, IReadOnlyList<int> Codes);
