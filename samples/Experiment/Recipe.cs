using MLTransfer.Experiments;
using MLTransfer.Torch.Training;

namespace Experiment;

/// <summary>
/// What is searched for. The values here are those of the model's card: what its makers fine-tuned it with, the search begins with.
/// </summary>
internal sealed class Recipe
{
    [Range(1e-4, 1e-2, logBase: true)]
    public double LearningRate { get; set; } = 5e-4;

    [Choice(4, 8, 16)]
    public int BatchSize { get; set; } = 8;

    [Choice(LearningRateSchedule.Linear, LearningRateSchedule.Cosine)]
    public LearningRateSchedule Schedule { get; set; } = LearningRateSchedule.Linear;

    [Range(0, 0.2)]
    public double Dropout { get; set; }

    [BooleanChoice]
    public bool UsesAdapters { get; set; }

    [Choice(4, 8, 16, 32)]
    [When(nameof(UsesAdapters), true)] // is chosen only where it means something
    public int Rank { get; set; } = 8;
}
