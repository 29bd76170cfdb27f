namespace MLTransfer.Torch.Tokenization.Training;

/// <summary>Tells how far training has come, and whether it is to stop.</summary>
internal sealed class TrainingWatch(IProgress<TokenizerTrainingProgress>? progress, CancellationToken cancellationToken)
{
    /// <exception cref="OperationCanceledException">It is to stop.</exception>
    public void Check() => cancellationToken.ThrowIfCancellationRequested();

    /// <inheritdoc cref="Check"/>
    public void Report(TokenizerTrainingStage stage, long done, long? total = null)
    {
        progress?.Report(new TokenizerTrainingProgress(stage, done, total));
        Check();
    }
}
