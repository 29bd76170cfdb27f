using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using MLTransfer.Torch.Training.Schedules;

namespace MLTransfer.Torch.Training;

/// <summary>What a run knows besides weights and optimizers; kept in <c>trainer_state.json</c> of a saved run.</summary>
internal sealed record RunState
{
    /// <summary>Identifies data, options and model, so that a run is not resumed with others.</summary>
    public required string Fingerprint { get; init; }

    /// <summary>Optimizer steps done.</summary>
    public int Step { get; init; }

    /// <summary>The updates of each player's optimizer.</summary>
    public IReadOnlyList<int> Updates { get; init; } = [];

    /// <summary>Before the first step, where that is measured.</summary>
    public double? InitialValidationLoss { get; init; }

    /// <summary>Of the last evaluation.</summary>
    public double? LastValidationLoss { get; init; }

    /// <summary>The lowest so far; null before the first evaluation.</summary>
    public double? BestValidationLoss { get; init; }

    /// <summary>The step of <see cref="BestValidationLoss"/>.</summary>
    public int BestStep { get; init; }

    /// <summary>In a row, up to the last one.</summary>
    public int EvaluationsWithoutImprovement { get; init; }

    /// <summary>Where losses decide on the learning rate, what they did; null for other schedules.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public PlateauState? Plateau { get; init; }

    /// <summary>What the run computes with; null of a run that was saved before this was kept.</summary>
    public TrainingComputation? Computation { get; init; }

    /// <summary>What the task knows beyond.</summary>
    public JsonNode? Task { get; init; }

    /// <summary>The state after an evaluation of the weights of <see cref="Step"/>, and whether they are the best so far.</summary>
    public (RunState State, bool IsBest) Judge(double validationLoss)
    {
        var judged = this with { LastValidationLoss = validationLoss };
        return validationLoss >= BestValidationLoss
            ? (judged with { EvaluationsWithoutImprovement = EvaluationsWithoutImprovement + 1 }, false)
            : (judged with { BestValidationLoss = validationLoss, BestStep = Step, EvaluationsWithoutImprovement = 0 }, true);
    }
}
