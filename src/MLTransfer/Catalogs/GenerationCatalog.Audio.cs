using MLTransfer.Audio.Generators;
using Microsoft.ML;
using Microsoft.ML.Runtime;

namespace MLTransfer;

public sealed partial class GenerationCatalog
{
    /// <summary>Loads a pretrained MusicGen or VITS for use outside of a pipeline.</summary>
    /// <param name="folderOrHubId">
    /// A folder in Hugging Face layout, a hub id, or a model zip with an audio generator, whose adapters become part of its weights.
    /// </param>
    /// <param name="phonemize">Makes phonemes of a text, for a VITS that reads them; null for none.</param>
    /// <param name="romanize">Transliterates a text into Latin letters, for a VITS that reads those alone; null for none.</param>
    /// <param name="cancellationToken">Stops a download.</param>
    /// <returns>A <see cref="MusicGenerationModel"/> or a <see cref="SpeechGenerationModel"/>, to be disposed by the caller.</returns>
    /// <exception cref="ArgumentException">The zip has no audio generator.</exception>
    /// <exception cref="IOException">The model cannot be found or read.</exception>
    /// <exception cref="NotSupportedException">The folder holds another kind of network, such as a codec.</exception>
    public AudioGenerationModel LoadAudioGenerator(
        string folderOrHubId, Func<string, string>? phonemize = null, Func<string, string>? romanize = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(folderOrHubId);
        using var channel = _host.Start("Loading an audio generator");
        var options = new GenerateAudioOptions { Phonemize = phonemize, Romanize = romanize };
        return AudioBaseModel.Load(_host, folderOrHubId, options, channel, cancellationToken).Model;
    }

    /// <summary>The audio generator of a fitted or loaded model, to make sounds without an IDataView.</summary>
    /// <remarks>
    /// It stays the transformer's: do not dispose it, and do not use it after the transformer is disposed. Several threads may use it.
    /// </remarks>
    /// <param name="model">A transformer with an audio generator, or a chain of transformers with one.</param>
    /// <returns>A <see cref="MusicGenerationModel"/> or a <see cref="SpeechGenerationModel"/>.</returns>
    /// <exception cref="ArgumentException">There is none.</exception>
    /// <exception cref="ObjectDisposedException">The transformer is disposed.</exception>
    public AudioGenerationModel GetAudioGenerator(ITransformer model)
    {
        _host.CheckValue(model, nameof(model));
        return TransformerChain.Find<IAudioEvaluation>(model, AudioBaseModel.Wanted).Found.Model;
    }
}
