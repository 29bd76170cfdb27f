using MLTransfer.Cards;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Language;

namespace MLTransfer.Text;

/// <summary>A training of a text generator that is ready to run.</summary>
internal sealed record TextTraining
{
    /// <summary>What the log says of the task.</summary>
    public required string Task { get; init; }

    /// <summary>What the log says of the data.</summary>
    public required string Data { get; init; }

    /// <summary>What is computed with.</summary>
    public required TrainingComputation Computation { get; init; }

    /// <summary>Tells what the training takes.</summary>
    public required Func<MemoryEstimate> EstimateMemory { get; init; }

    /// <summary>Runs it.</summary>
    public required Func<IProgress<TrainingProgress>, CancellationToken, CancellationToken, TrainingResult> Train { get; init; }

    /// <summary>Makes the card of the model, of what it was made from and how training went.</summary>
    public required Func<BaseOrigin?, TrainingResult, ModelCard> CreateCard { get; init; }
}
