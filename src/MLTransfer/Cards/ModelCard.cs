using System.Globalization;
using System.Runtime.InteropServices;
using MLTransfer.Torch.Training.Reports;
using TorchSharp;

namespace MLTransfer.Cards;

/// <summary>What a model card tells of a model; kept in its zip, so that a card can be written after loading as well.</summary>
/// <param name="Base">What the model was made from; null where it was made from nothing.</param>
internal sealed record ModelCard(BaseOrigin? Base)
{
    /// <summary>The size of the training data; empty where the model was not trained.</summary>
    public IReadOnlyList<CardEntry> Data { get; init; } = [];

    /// <summary>The options of the training that are not defaults, its seed included.</summary>
    public IReadOnlyList<CardEntry> Options { get; init; } = [];

    /// <summary>What the training ended with.</summary>
    public IReadOnlyList<CardEntry> Metrics { get; init; } = [];

    /// <summary>What the model was trained with.</summary>
    public IReadOnlyList<CardEntry> Versions { get; init; } = [];

    /// <summary>The card of a model that was trained in this process just now.</summary>
    /// <param name="origin">What training started from.</param>
    /// <param name="data">How much there was to train on.</param>
    /// <param name="metrics">What came out; entries without a value are left out.</param>
    /// <param name="options">Records with the options; those of their defaults are left out.</param>
    public static ModelCard OfTraining(
        BaseOrigin? origin, IReadOnlyList<CardEntry> data, IEnumerable<(string Name, double? Value)> metrics,
        params IEnumerable<object?> options) => new(origin)
    {
        Data = data,
        Metrics =
        [
            .. metrics.Where(metric => metric.Value is not null).Select(metric => new CardEntry(metric.Name, Number(metric.Value!.Value))),
        ],
        Options =
        [
            .. options.OfType<object>().SelectMany(OptionValue.Of)
                .Where(option => !option.IsDefault && !s_privateOptions.Contains(option.Name))
                .Select(option => new CardEntry(option.Name, option.Value)),
        ],
        Versions =
        [
            new("MLTransfer", Version(typeof(ModelCard))),
            new("TorchSharp", Version(typeof(torch))),
            new(".NET", RuntimeInformation.FrameworkDescription),
            new("date", DateTime.UtcNow.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)),
        ],
    };

    /// <summary>Folders and texts of the user's machine, which a card passes on to nobody.</summary>
    private static readonly string[] s_privateOptions = ["OutputDirectory", "Resume", "SamplePrompts", "SampleGeneration", "TensorBoard"];

    /// <exception cref="ArgumentException">An entry is missing.</exception>
    public void Check()
    {
        if (Base is { Name: null } || new[] { Data, Options, Metrics, Versions }.Any(
            entries => entries is null || entries.Any(entry => entry?.Name is null || entry.Value is null))
            || Base?.Languages?.Contains(null!) == true)
        {
            throw new ArgumentException("its model card has a null");
        }
    }

    private static string Number(double value) => value.ToString("G5", CultureInfo.InvariantCulture);

    private static string Version(Type type) => type.Assembly.GetName().Version!.ToString(3);
}
