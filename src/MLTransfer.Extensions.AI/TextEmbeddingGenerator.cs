using Microsoft.Extensions.AI;
using MLTransfer.Text;

namespace MLTransfer.Extensions.AI;

/// <summary>A text model as a generator of embeddings.</summary>
internal sealed class TextEmbeddingGenerator : IEmbeddingGenerator<string, Embedding<float>>
{
    private readonly ITextEmbedding _source;
    private readonly ServedModel _served;
    private readonly EmbeddingGeneratorMetadata _metadata;
    private readonly int _width;

    public TextEmbeddingGenerator(ITextEmbedding source, object model, string? modelId, bool ownsModel)
    {
        (_source, _width) = (source, source.Embedder.Width);
        _served = new ServedModel(model, modelId ?? source.ModelName, ownsModel);
        _metadata = new EmbeddingGeneratorMetadata(
            ServedModel.ProviderName, defaultModelId: _served.ModelId, defaultModelDimensions: _width);
    }

    public Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(
        IEnumerable<string> values, EmbeddingGenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(values);
        return Task.Run(() => Generate([.. values], options, cancellationToken), cancellationToken);
    }

    public object? GetService(Type serviceType, object? serviceKey = null) =>
        _served.Find(serviceType, serviceKey, this, _metadata, _source);

    public void Dispose() => _served.Dispose();

    private GeneratedEmbeddings<Embedding<float>> Generate(
        IReadOnlyList<string> texts, EmbeddingGenerationOptions? options, CancellationToken cancellationToken)
    {
        _served.Check(this, options?.ModelId);
        Refused.If(
            options?.Dimensions is { } asked && asked != _width, nameof(options.Dimensions), $"the model's vectors have {_width} numbers.");
        Refused.If(
            options?.RawRepresentationFactory?.Invoke(this) is not null, nameof(options.RawRepresentationFactory),
            "there is nothing else to say of embeddings.");
        var embeddings = _source.Embedder.Embed(texts, cancellationToken: cancellationToken);
        var tokens = embeddings.Sum(embedding => (long)embedding.TokenCount);
        return new(embeddings.Select(embedding => new Embedding<float>(embedding.Vector)
        {
            ModelId = _served.ModelId, CreatedAt = DateTimeOffset.UtcNow,
        }))
        {
            Usage = new UsageDetails { InputTokenCount = tokens, TotalTokenCount = tokens },
        };
    }
}
