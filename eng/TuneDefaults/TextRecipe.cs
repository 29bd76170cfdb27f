using MLTransfer.Experiments;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Language;
using MLTransfer.Torch.Training.Optimizers;

namespace TuneDefaults;

/// <summary>
/// What may be a default of fine-tuning a text generator. The values here are those of the reference's recipe, as its users run it.
/// </summary>
internal sealed class TextRecipe
{
    private const int Epochs = 3;

    [Choice(OptimizerAlgorithm.AdamW, OptimizerAlgorithm.Muon)]
    public OptimizerAlgorithm Optimizer { get; set; } = OptimizerAlgorithm.AdamW;

    /// <summary>Of AdamW, also beside Muon, whose rate for matrices is as AdamW's would be.</summary>
    [Range(5e-5, 5e-3, logBase: true)]
    public double LearningRate { get; set; } = 5e-4;

    [Choice(1, 2, 4, 8, 16)]
    public int BatchSize { get; set; } = 8;

    [Choice(LearningRateSchedule.Linear, LearningRateSchedule.Cosine)]
    public LearningRateSchedule Schedule { get; set; } = LearningRateSchedule.Linear;

    [Range(0, 0.5)]
    public double WarmupRatio { get; set; }

    [Range(0, 0.3)]
    public double WeightDecay { get; set; }

    [Choice(0.95, 0.98, 0.999)]
    public double Beta2 { get; set; } = 0.999;

    [Range(0, 0.2)]
    public double Dropout { get; set; }

    [Range(0.6, 1)]
    public double LayerRateDecay { get; set; } = 1;

    [BooleanChoice]
    public bool AveragesWeights { get; set; }

    [Range(0.8, 0.998)]
    [When(nameof(AveragesWeights), true)]
    public double AverageDecay { get; set; } = 0.95;

    [BooleanChoice]
    public bool MovesBorders { get; set; }

    /// <summary>This recipe as a training is told it.</summary>
    public LanguageTrainingOptions Training => new()
    {
        NumberOfEpochs = Epochs,
        Optimizer = Optimizer,
        OptimizerOptions = Optimizer == OptimizerAlgorithm.Muon
            ? new MuonOptions { RateAdjustment = MuonRateAdjustment.MatchAdamW } : null,
        LearningRate = LearningRate,
        BatchSize = BatchSize,
        LearningRateSchedule = Schedule,
        WarmupRatio = WarmupRatio,
        WeightDecay = WeightDecay,
        AdamBeta2 = Beta2,
        LayerRateDecay = LayerRateDecay,
        WeightAverageDecay = AveragesWeights ? AverageDecay : 0,
        MoveBorders = MovesBorders,
        Precision = Precision.Float32,
    };
}
