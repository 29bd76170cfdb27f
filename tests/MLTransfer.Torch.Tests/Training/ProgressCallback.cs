using MLTransfer.Torch.Training.Language;

namespace MLTransfer.Torch.Tests.Training;

/// <summary>Reports on the training's own thread, which <see cref="Progress{T}"/> does not.</summary>
internal sealed class ProgressCallback(Action<TrainingProgress> report) : IProgress<TrainingProgress>
{
    public void Report(TrainingProgress value) => report(value);
}
