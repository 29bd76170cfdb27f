using MLTransfer.Experiments;
using MLTransfer.Torch.Training;

namespace Experiment;

/// <summary>
/// What is searched for. The values here are those of the model's card: what its makers fine-tuned it with, the search begins with.
/// </summary>
internal sealed class Recipe
{
    [Range(5e-5, 2e-3, logBase: true)]
    public double LearningRate { get; set; } = 5e-4;

    [Choice(1, 2, 4, 8)]
    public int BatchSize { get; set; } = 8;

    [Choice(LearningRateSchedule.Linear, LearningRateSchedule.Cosine)]
    public LearningRateSchedule Schedule { get; set; } = LearningRateSchedule.Linear;

    [Range(0, 0.4)]
    public double WarmupRatio { get; set; }

    [Range(0, 0.1)]
    public double Dropout { get; set; }

    [BooleanChoice]
    public bool UsesAdapters { get; set; }

    [Choice(4, 8, 16, 32)]
    [When(nameof(UsesAdapters), true)] // is chosen only where it means something
    public int Rank { get; set; } = 8;
}
