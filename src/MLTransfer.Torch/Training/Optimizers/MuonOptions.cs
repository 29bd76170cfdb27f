namespace MLTransfer.Torch.Training.Optimizers;

/// <summary>Options of Muon; names and defaults are those of <c>torch.optim.Muon</c> where not said otherwise.</summary>
/// <remarks>
/// Muon trains the matrices of a transformer's blocks, adapters included; of other networks all matrices and kernels, these read as
/// [first dimension, all others]. AdamW trains the rest, with the coefficients that the run has for it.
/// </remarks>
public sealed record MuonOptions : OptimizerOptions
{
    /// <summary>The share that the running mean of gradients keeps, from 0 to less than 1 (<c>momentum</c>).</summary>
    public double Momentum { get; init; } = 0.95;

    /// <summary>Whether a step looks ahead by the momentum of the next one (<c>nesterov</c>).</summary>
    public bool Nesterov { get; init; } = true;

    /// <summary>What the learning rate of a matrix is multiplied with (<c>adjust_lr_fn</c>).</summary>
    public MuonRateAdjustment RateAdjustment { get; init; }

    /// <summary>
    /// The peak learning rate of what AdamW trains, which has the schedule of <see cref="TrainingOptions.LearningRate"/>; that rate itself
    /// where null.
    /// </summary>
    public double? OtherLearningRate { get; init; }

    /// <summary>Iterations of Newton and Schulz that make a matrix orthogonal (<c>ns_steps</c>).</summary>
    public int Iterations { get; init; } = 5;

    /// <summary>
    /// The coefficients a, b, c of an iteration x = a x + (b x x' + c (x x')^2) x (<c>ns_coefficients</c>).
    /// </summary>
    public IReadOnlyList<double> Coefficients { get; init; } = [3.4445, -4.775, 2.0315];

    /// <summary>The least norm that a matrix is divided by (<c>eps</c>).</summary>
    public double Epsilon { get; init; } = 1e-7;

    /// <summary>
    /// The number format of the iterations. torch has bfloat16; float32, the default here, is as good, and on a processor without
    /// instructions for bfloat16 faster.
    /// </summary>
    public Precision Precision { get; init; } = Precision.Float32;

    internal override OptimizerAlgorithm Algorithm => OptimizerAlgorithm.Muon;

    internal override void Check()
    {
        OptionRange.FromZeroToLessThanOne(nameof(Momentum), Momentum);
        OptionRange.Defined(nameof(RateAdjustment), RateAdjustment);
        OptionRange.NotNegative(nameof(OtherLearningRate), OtherLearningRate ?? 0);
        OptionRange.AtLeast(nameof(Iterations), Iterations, 1);
        OptionRange.Positive(nameof(Epsilon), Epsilon);
        OptionRange.Defined(nameof(Precision), Precision);
        ArgumentNullException.ThrowIfNull(Coefficients);
        if (Coefficients.Count != 3 || !Coefficients.All(double.IsFinite))
        {
            throw new ArgumentException(
                $"{nameof(Coefficients)} are [{string.Join(", ", Coefficients)}]; expected three finite numbers.", nameof(Coefficients));
        }
    }
}
