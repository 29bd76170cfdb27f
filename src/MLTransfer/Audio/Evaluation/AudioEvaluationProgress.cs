namespace MLTransfer;

/// <summary>How far an evaluation of sounds has come.</summary>
/// <param name="SoundCount">The sounds that were compared.</param>
public sealed record AudioEvaluationProgress(int SoundCount);
