namespace MLTransfer.Torch.Training.Audio;

/// <summary>A row as it is trained on.</summary>
/// <param name="Ids">The characters' ids.</param>
/// <param name="Samples">Of the sound.</param>
/// <param name="Frames">Of its spectrogram.</param>
/// <param name="Speaker">From 0; null for none.</param>
internal sealed record SpeechRow(int[] Ids, float[] Samples, int Frames, int? Speaker);
