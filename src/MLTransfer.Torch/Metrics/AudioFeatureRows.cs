using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Sounds;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Metrics;

/// <summary>The features of a growing set of sounds.</summary>
/// <param name="extractor">Stays the caller's.</param>
internal sealed class AudioFeatureRows(IAudioFeatureExtractor extractor) : IDisposable
{
    private readonly List<Tensor> _rows = [];

    /// <summary>Adds the features of a sound, whatever its rate and channels.</summary>
    /// <exception cref="ArgumentException">It has no samples or one that is no finite number, its channels cannot be converted, or the
    /// features have another shape than they must have.</exception>
    public void Add(Waveform sound)
    {
        if (sound.Frames == 0)
            throw new ArgumentException("The sound has no samples.", nameof(sound));
        sound.CheckFinite();
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var rows = extractor.Extract(sound.Mix(extractor.Channels).Resample(extractor.SampleRate).ToTensor());
        if (rows.dim() != 2 || rows.shape[0] == 0 || (_rows.Count > 0 && rows.shape[1] != _rows[0].shape[1]))
        {
            throw new ArgumentException(
                $"The feature extractor gave shape {TensorShape.Describe(rows.shape)} for a sound; expected "
                + $"[rows, {(_rows.Count > 0 ? _rows[0].shape[1] : "width")}].", nameof(extractor));
        }

        _rows.Add(rows.to(ScalarType.Float32).cpu().DetachFromDisposeScope());
    }

    /// <summary>[rows, width] of all sounds.</summary>
    public Tensor ToTensor() => cat(_rows, 0);

    public void Dispose() => _rows.ForEach(rows => rows.Dispose());
}
