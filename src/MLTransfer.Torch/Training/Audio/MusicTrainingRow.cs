namespace MLTransfer.Torch.Training.Audio;

/// <summary>A row as the decoder learns it.</summary>
/// <param name="CaptionIds">What the text encoder reads; null for no caption.</param>
/// <param name="Labels">[codebooks][length]: delayed codes; padding, or <see cref="Ignored"/>, where nothing is predicted. Each column is
/// predicted from those before it, the start column first.</param>
internal sealed record MusicTrainingRow(int[]? CaptionIds, int[][] Labels)
{
    public const int Ignored = -100;

    public int Length => Labels[0].Length;
}
