using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.AI;
using Microsoft.ML;
using MLTransfer.Audio.Generators;
using MLTransfer.Images;
using MLTransfer.Text;
using MLTransfer.Torch.Generation;

namespace MLTransfer.Extensions.AI;

/// <summary>
/// Fitted transformers and loaded models as clients of <c>Microsoft.Extensions.AI</c>. All clients may be used by several threads at once;
/// they work on threads of the pool, and end between two tokens, pictures or passes when they are cancelled.
/// </summary>
/// <remarks>
/// <para>
/// Of a chain the first transformer that can do it is asked; those before it are not. A client calls its model by the name of the base that
/// it was made from, else by the kind of network, and refuses requests for another <c>ModelId</c>.
/// </para>
/// <para>
/// A request without a seed draws what the transformer's own seed decides: the same request gives the same answer, and, where the request
/// sets nothing else, that of <c>Transform</c>. Options that would change what is generated and cannot be obeyed are refused by name
/// (<see cref="NotSupportedException"/>); those that change nothing here, such as <c>AllowBackgroundResponses</c> and entries of
/// <c>AdditionalProperties</c> that are not named below, are not looked at.
/// </para>
/// </remarks>
public static class ClientExtensions
{
    private const string Experimental = "MEAI001"; // as the interface is

    /// <summary>A text generator as a chat client.</summary>
    /// <remarks>
    /// <para>
    /// Chats are rendered by the model's chat template. A model without one goes on with the words of the messages: a message begins a new
    /// line, an assistant's goes on directly. A last message of the assistant's is continued.
    /// </para>
    /// <para>
    /// Of <see cref="ChatOptions"/> are obeyed <c>Instructions</c> (a system message before the others), <c>Temperature</c> (0 takes the
    /// most probable token), <c>TopP</c>, <c>TopK</c> (each of them asks for sampling), <c>Seed</c>, <c>MaxOutputTokens</c>,
    /// <c>StopSequences</c>, <c>Tools</c> with <c>ToolMode</c> auto or none and <c>AllowMultipleToolCalls</c>.
    /// <c>RawRepresentationFactory</c> may give <see cref="GenerationOptions"/>, which take the place of the usual ones. Refused are
    /// <c>FrequencyPenalty</c>, <c>PresencePenalty</c>, a <c>ResponseFormat</c> of JSON, <c>Reasoning</c>, <c>ConversationId</c>,
    /// <c>ContinuationToken</c>, a required <c>ToolMode</c>, hosted tools, and tools where the template writes nothing of them.
    /// </para>
    /// <para>
    /// Calls of functions are found where the chat template writes them: JSON with a name, between markers or as the whole answer (Hermes,
    /// Qwen, SmolLM, Llama, Mistral); what is no call stays text. Usage counts the tokens of the rendered chat and all that were generated,
    /// the one that ends the answer included.
    /// </para>
    /// </remarks>
    /// <param name="model">A text generator, or a chain of transformers with one, fitted or loaded from a zip.</param>
    /// <param name="modelId">What the client calls the model; null for its own name.</param>
    /// <param name="generation">How texts are generated where a request does not say; null as the transformer does.</param>
    /// <param name="template">How chats are rendered; null as the transformer does.</param>
    /// <param name="ownsModel">Whether disposing the client disposes the model.</param>
    /// <exception cref="ArgumentException">The model has no text generator, an option is not valid, or there is no such
    /// template.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public static IChatClient AsChatClient(
        this ITransformer model, string? modelId = null, GenerationOptions? generation = null, ChatTemplateOptions? template = null,
        bool ownsModel = false) => new TextChatClient(
            TransformerChain.Find<ITextResponder>(model, "no text generator").Found, model, modelId, generation, template, ownsModel);

    /// <param name="model">The model.</param>
    /// <param name="modelId">What the client calls the model; null for its own name.</param>
    /// <param name="generation">How texts are generated where a request does not say; null for greedy generation.</param>
    /// <param name="template">How chats are rendered; null for defaults.</param>
    /// <param name="ownsModel">Whether disposing the client disposes the model.</param>
    /// <inheritdoc cref="AsChatClient(ITransformer, string?, GenerationOptions?, ChatTemplateOptions?, bool)"/>
    public static IChatClient AsChatClient(
        this TextGenerationModel model, string? modelId = null, GenerationOptions? generation = null, ChatTemplateOptions? template = null,
        bool ownsModel = false)
    {
        ArgumentNullException.ThrowIfNull(model);
        return new TextChatClient(model, model, modelId, generation, template, ownsModel);
    }

    /// <summary>
    /// A text generator or a text infiller as a generator of embeddings: the mean of its last hidden states, of length 1. See
    /// <see cref="TextEmbedder"/>.
    /// </summary>
    /// <remarks>Of <see cref="EmbeddingGenerationOptions"/> another number of <c>Dimensions</c> than the model's is refused.</remarks>
    /// <param name="model">A transformer of TorchSharp with a text model, or a chain with one, fitted or loaded from a zip.</param>
    /// <param name="modelId">What the client calls the model; null for its own name.</param>
    /// <param name="ownsModel">Whether disposing the client disposes the model.</param>
    /// <exception cref="ArgumentException">The model has no text model of TorchSharp.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public static IEmbeddingGenerator<string, Embedding<float>> AsEmbeddingGenerator(
        this ITransformer model, string? modelId = null, bool ownsModel = false) => new TextEmbeddingGenerator(
            TransformerChain.Find<ITextEmbedding>(model, "no text generator or text infiller of TorchSharp").Found, model, modelId,
            ownsModel);

    /// <param name="model">The model.</param>
    /// <param name="modelId">What the client calls the model; null for its own name.</param>
    /// <param name="ownsModel">Whether disposing the client disposes the model.</param>
    /// <inheritdoc cref="AsEmbeddingGenerator(ITransformer, string?, bool)"/>
    public static IEmbeddingGenerator<string, Embedding<float>> AsEmbeddingGenerator(
        this TextGenerationModel model, string? modelId = null, bool ownsModel = false)
    {
        ArgumentNullException.ThrowIfNull(model);
        return new TextEmbeddingGenerator(model, model, modelId, ownsModel);
    }

    /// <inheritdoc cref="AsEmbeddingGenerator(TextGenerationModel, string?, bool)"/>
    public static IEmbeddingGenerator<string, Embedding<float>> AsEmbeddingGenerator(
        this TextInfillingModel model, string? modelId = null, bool ownsModel = false)
    {
        ArgumentNullException.ThrowIfNull(model);
        return new TextEmbeddingGenerator(model, model, modelId, ownsModel);
    }

    /// <summary>A transformer that makes pictures as an image generator.</summary>
    /// <remarks>
    /// The prompt is a caption; of a StyleGAN2 it is empty or, where it takes labels, the number of a class, from 0. Several pictures of a
    /// request differ: they are those of rows with the same caption, and of a StyleGAN2 those of seeds that follow each other. Obeyed are
    /// <c>Count</c>, <c>MediaType</c> (PNG, JPEG, WebP), a whole number <c>seed</c> of <c>AdditionalProperties</c>, and
    /// <c>RawRepresentationFactory</c>, which may give <see cref="Torch.Generation.Images.ImageGenerationOptions"/>. Refused are another
    /// <c>ImageSize</c> than the model's, original images, and addresses in place of data.
    /// </remarks>
    /// <param name="model">An image generator, or a chain with one, fitted or loaded from a zip.</param>
    /// <param name="modelId">What the client calls the model; null for the kind of network.</param>
    /// <param name="ownsModel">Whether disposing the client disposes the model.</param>
    /// <exception cref="ArgumentException">The model has no image generator.</exception>
    [Experimental(Experimental)]
    public static IImageGenerator AsImageGenerator(this ITransformer model, string? modelId = null, bool ownsModel = false) =>
        new PictureGenerator(TransformerChain.Find<IPictureSource>(model, "no image generator").Found, model, modelId, ownsModel);

    /// <summary>A transformer with a VITS as a client that speaks.</summary>
    /// <remarks>
    /// Sounds are WAV files of 16 bits. Obeyed are <c>VoiceId</c> (the name or the number of a speaker), <c>Speed</c>, a whole number
    /// <c>seed</c> of <c>AdditionalProperties</c>, and <c>RawRepresentationFactory</c>, which may give <see cref="SpeechOptions"/>. Refused
    /// are other formats, <c>Language</c>, <c>Pitch</c> and <c>Volume</c>.
    /// </remarks>
    /// <param name="model">An audio generator whose network is a VITS, or a chain with one, fitted or loaded from a zip.</param>
    /// <param name="modelId">What the client calls the model; null for the kind of network.</param>
    /// <param name="ownsModel">Whether disposing the client disposes the model.</param>
    /// <exception cref="ArgumentException">The model has no audio generator, or one that does not speak.</exception>
    [Experimental(Experimental)]
    public static ITextToSpeechClient AsTextToSpeechClient(this ITransformer model, string? modelId = null, bool ownsModel = false)
    {
        var source = TransformerChain.Find<ISpeechSource>(model, "no audio generator").Found;
        return source.Speaks ? new SpeechClient(source, model, modelId, ownsModel) : throw new ArgumentException(
            "The model's audio generator makes music: speech is made by a VITS. Use Transform for music.", nameof(model));
    }
}
