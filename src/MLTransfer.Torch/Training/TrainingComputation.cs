using System.Globalization;
using System.Text.Json.Serialization;
using MLTransfer.Torch.Numerics;
using MLTransfer.Torch.Numerics.Calibration;
using MLTransfer.Torch.Training.Ranks;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Training;

/// <summary>What a run computes with: what its options say and, where they leave it open, what was measured.</summary>
/// <param name="Precision">Of products; not <see cref="Precision.Auto"/>.</param>
/// <param name="Threads">The number of threads.</param>
internal sealed record TrainingComputation(
    Precision Precision, int Threads)
{
    [JsonConverter(typeof(JsonStringEnumConverter<Precision>))]
    public Precision Precision { get; } = Precision is Precision.Float32 or Precision.BFloat16
        ? Precision : throw new ArgumentOutOfRangeException(nameof(Precision), Precision, "Products are in float32 or in bfloat16.");

    public int Threads { get; } = ThreadCount.Checked(Threads);

    /// <summary>What is set where somebody has decided on the number of threads.</summary>
    private static readonly string[] s_threadVariables = ["OMP_NUM_THREADS", "MKL_NUM_THREADS"];

    /// <summary>Why it is so, in words; null where options say it.</summary>
    [JsonIgnore]
    public string? Reason { get; init; }

    /// <summary>Of a network that computes in what its options say.</summary>
    public static TrainingComputation Of(TrainingOptions options) => Of(options, CPU, () => null);

    /// <param name="options">Of the run, which goes on as it began where it is resumed.</param>
    /// <param name="device">Where it computes.</param>
    /// <param name="largest">The network's largest products; null where there are none.</param>
    public static TrainingComputation Of(TrainingOptions options, Device device, Func<ProductShape?> largest) =>
        options.Collective is { Size: > 1 } collective
            ? OfFirst(new RunRanks(collective), () => OfThis(options, device, largest)) : OfThis(options, device, largest);

    /// <summary>What rank 0 computes with is what all do, so that all choose the same.</summary>
    private static TrainingComputation OfFirst(RunRanks ranks, Func<TrainingComputation> choose)
    {
        string? reason = null;
        var chosen = ranks.OfFirst(() =>
        {
            var own = choose();
            reason = own.Reason;
            return own;
        });
        return chosen with { Reason = ranks.IsFirst ? reason : "as rank 0" };
    }

    private static TrainingComputation OfThis(TrainingOptions options, Device device, Func<ProductShape?> largest)
    {
        var saved = options is { Resume: true, OwnDirectory: { } folder } ? SavedRun.Newest(folder)?.TryReadComputation() : null;
        var threads = options.Threads > 0 ? options.Threads : saved?.Threads;
        var precision = options.Precision != Precision.Auto ? options.Precision : saved?.Precision;
        if (precision is not null && threads is not null)
            return new(precision.Value, threads.Value) { Reason = saved is null ? null : "as the run began" };

        var usual = precision ?? (Precision.Auto.MayBeBFloat16(device) ? Precision.BFloat16 : Precision.Float32);
        var isFree = threads is null && !s_threadVariables.Any(name => Environment.GetEnvironmentVariable(name) is not null);
        var number = threads ?? get_num_threads();
        var isOpen = precision is null && usual == Precision.BFloat16;
        if (PrecisionTypes.IsProcessor(device) && (isOpen || isFree && number > 1) && largest() is { IsWorthMeasuring: true } shape)
        {
            var (type, asked) = (usual.ComputeType() ?? ScalarType.Float32, isOpen ? Precision.Auto : usual);
            var choice = SharedChoices.Get(
                string.Create(CultureInfo.InvariantCulture, $"{shape}, {asked}, {number} threads{(isFree ? "" : " fixed")}"),
                () => ProductCalibration.Run(shape, type, isOpen, number, isFree));
            return new(choice.Type == ScalarType.BFloat16 ? Precision.BFloat16 : Precision.Float32, choice.Threads)
            {
                Reason = choice.Findings,
            };
        }

        var reason = precision is not null ? null
            : usual == Precision.Float32 ? "this machine has no instructions for bfloat16"
            : PrecisionTypes.IsProcessor(device) ? "this machine has instructions for bfloat16" : "the model is on a GPU";
        return new(usual, number) { Reason = reason };
    }

    /// <summary>The options with what was chosen: what a run with the same bits is told.</summary>
    public T Fix<T>(T options)
        where T : TrainingOptions => (T)(options with { Precision = Precision, Threads = Threads });

    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{(Precision == Precision.BFloat16 ? "bfloat16" : "float32")} on {Threads} thread{(Threads == 1 ? "" : "s")}")
        + (Reason is null ? "" : $" ({Reason})");
}
