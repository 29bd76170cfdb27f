using MLTransfer.Audio.Generators;
using MLTransfer.Cards;
using MLTransfer.Onnx;
using MLTransfer.Persistence;
using MLTransfer.Text;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Networks;
using MLTransfer.Torch.Sounds;
using Microsoft.ML.Runtime;
using static TorchSharp.torch;

namespace MLTransfer;

/// <summary>
/// A network that makes sounds, with what reads its texts: a <see cref="MusicGenerationModel"/> or a <see cref="SpeechGenerationModel"/>.
/// Generation may be called from several threads.
/// </summary>
/// <remarks>
/// It may be disposed at any time: calls under way go on, later ones are refused, and the network is freed when the last call has ended.
/// </remarks>
public abstract class AudioGenerationModel : IDisposable
{
    private protected AudioGenerationModel()
    {
        // The kinds are those of this library.
    }

    /// <summary>The network; disposed with this object.</summary>
    public abstract GenerativeNetwork Network { get; }

    /// <summary>Samples a second of its sounds.</summary>
    public abstract int SampleRate { get; }

    /// <summary>Channels of its sounds.</summary>
    public abstract int Channels { get; }

    /// <summary>What a model card tells; null where nothing is known of the model.</summary>
    internal ModelCard? Card { get; set; }

    /// <summary>What messages call the kind, such as "a MusicGen".</summary>
    internal abstract string Kind { get; }

    /// <summary>What a model card calls the kind.</summary>
    internal abstract CardKind CardKind { get; }

    /// <summary>Frees the network when the last call has ended.</summary>
    public void Dispose()
    {
        Network.Dispose();
        GC.SuppressFinalize(this);
    }

    internal UseCount.Hold Hold() => Network.Hold();

    /// <summary>A model with weights of its own, adapters merged.</summary>
    internal abstract AudioGenerationModel Copy(Device device);

    /// <summary>Makes the sounds of rows, each as if it were alone.</summary>
    internal abstract IReadOnlyList<Waveform> Generate(
        IReadOnlyList<AudioRequest> requests, AudioGeneration generation, CancellationToken cancellationToken = default);

    /// <summary>Writes a folder in Hugging Face layout, without adapters.</summary>
    internal abstract void Save(string folder, WeightType weightType);

    /// <summary>Writes a folder with ONNX files.</summary>
    /// <param name="folder">A new or empty folder, or one that holds an export, which is replaced.</param>
    /// <param name="options">Null for defaults.</param>
    /// <param name="generation">How the transformer makes sounds.</param>
    /// <param name="channel">Told of the files.</param>
    /// <param name="cancellationToken">Stops between files.</param>
    internal abstract IReadOnlyList<OnnxExportedFile> ExportToOnnx(
        string folder, OnnxExportOptions? options, AudioGeneration generation, IChannel channel, CancellationToken cancellationToken);

    /// <summary>Writes the files of such a folder into a model file.</summary>
    /// <param name="writer">Writes files.</param>
    /// <param name="adaptersOf">The model that adapters belong to, where only they are saved.</param>
    /// <param name="weightType">The number format of stored weights.</param>
    internal abstract void Write(ModelPartWriter writer, BaseModelReference? adaptersOf, WeightType weightType);
}
