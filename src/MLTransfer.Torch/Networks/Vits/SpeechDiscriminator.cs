using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Checkpoints.Safetensors;
using MLTransfer.Torch.Layers;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Vits;

/// <summary>
/// Tells spoken from made sounds: a convolution network on the samples and one for each of the periods 2, 3, 5, 7 and 11 (arXiv
/// 2106.06103; multi-period and multi-scale discriminators of arXiv 2010.05646). On disk it is <c>discriminator.safetensors</c>, with the
/// public names of its tensors; widths and kernels are read from their shapes.
/// </summary>
public sealed class SpeechDiscriminator : nn.Module
{
    /// <summary>The file beside a network's weights.</summary>
    public const string FileName = "discriminator.safetensors";

    /// <summary>The width that arXiv 2010.05646 has: 32 feature maps in a period's first layer, 1024 in its last.</summary>
    public const int UsualWidth = 32;

    private static readonly int[] s_periods = [2, 3, 5, 7, 11];
    private readonly List<WaveformDiscriminator> _parts = [];

    private SpeechDiscriminator(WeightSource weights, Func<int, IReadOnlyList<DiscriminatorLayer>> layersOf)
        : base(nameof(SpeechDiscriminator))
    {
        for (var i = 0; i <= s_periods.Length; i++)
        {
            var part = new WaveformDiscriminator(weights.Scope($"discriminators.{i}"), layersOf(i), i == 0 ? null : s_periods[i - 1]);
            ModuleNode.Add(this, $"discriminators.{i}", part);
            _parts.Add(part);
        }
    }

    /// <summary>How many networks it is made of.</summary>
    internal int PartCount => _parts.Count;

    /// <summary>Builds one with new weights.</summary>
    /// <param name="width">The feature maps of a period's first layer, a multiple of 8; the last ones have 32 times as many.</param>
    /// <param name="seed">Decides on the weights.</param>
    /// <param name="device">The CPU where null.</param>
    /// <exception cref="ArgumentOutOfRangeException">The width is not a multiple of 8 from 8 to 256.</exception>
    public static SpeechDiscriminator Create(int width, long seed, Device? device = null)
    {
        if (width is < 8 or > 256 || width % 8 != 0)
            throw new ArgumentOutOfRangeException(nameof(width), width, "The width must be a multiple of 8 from 8 to 256.");
        using var generator = new Generator((ulong)seed);
        return new SpeechDiscriminator(
            WeightSource.Initialized(ScalarType.Float32, device ?? CPU, generator), part => DiscriminatorLayer.Usual(part > 0, width));
    }

    /// <summary>Loads the one in a folder.</summary>
    /// <param name="folder">Has <see cref="FileName"/>.</param>
    /// <param name="device">The CPU where null.</param>
    /// <exception cref="FileNotFoundException">There is none.</exception>
    /// <exception cref="InvalidDataException">The file is damaged or of another layout.</exception>
    public static SpeechDiscriminator Load(string folder, Device? device = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        using var file = SafetensorsFile.Open(Path.Combine(folder, FileName));
        return Load(file, device);
    }

    /// <summary>Builds one from named tensors.</summary>
    /// <param name="checkpoint">The weights. It may be disposed after the call.</param>
    /// <param name="device">The CPU where null.</param>
    /// <exception cref="InvalidDataException">A tensor is missing or has another shape than the others ask for.</exception>
    public static SpeechDiscriminator Load(Checkpoint checkpoint, Device? device = null)
    {
        ArgumentNullException.ThrowIfNull(checkpoint);
        string? Find(string name) => VitsNames.FindOfDiscriminator(name, checkpoint.Tensors.ContainsKey);
        var weights = WeightSource.FromCheckpoint(checkpoint, checkpoint.Location, Find, ScalarType.Float32, device ?? CPU);
        return new SpeechDiscriminator(weights, part => DiscriminatorLayer.Read(checkpoint, Find, part));
    }

    /// <summary>Writes <see cref="FileName"/> into an existing folder.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="storeAs">The type of the numbers in the file; null for that of the weights.</param>
    /// <exception cref="IOException">The file cannot be written, for example because the disk is full.</exception>
    public void Save(string folder, ScalarType? storeAs = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        SafetensorsWriter.Write(Path.Combine(folder, FileName), CheckpointTensors(), storeAs: storeAs);
    }

    /// <summary>Judges sounds.</summary>
    /// <param name="waveforms">[N, 1, samples].</param>
    /// <returns>For each part its feature maps, layer after layer; the last are logits, [N, ...], near 1 for what seems spoken.</returns>
    internal IReadOnlyList<IReadOnlyList<Tensor>> Forward(Tensor waveforms) => [.. _parts.Select(part => part.Forward(waveforms))];

    /// <summary>The tensors under their public names.</summary>
    internal IEnumerable<KeyValuePair<string, Tensor>> CheckpointTensors() =>
        named_parameters().Select(p => KeyValuePair.Create(VitsNames.ToOlder(p.name), (Tensor)p.parameter));

    internal SpeechDiscriminator Copy(Device? device = null)
    {
        using var tensors = new TensorCheckpoint("the discriminator in memory", CheckpointTensors());
        return Load(tensors, device ?? parameters().First().device);
    }

    /// <inheritdoc/>
    protected override void RegisterComponents()
    {
        // TorchSharp would register the fields once more, under their own names.
    }
}
