using Microsoft.Extensions.AI;
using MLTransfer.Images;
using ImageGenerationOptions = Microsoft.Extensions.AI.ImageGenerationOptions;

namespace MLTransfer.Extensions.AI;

/// <summary>A transformer that makes pictures as an image generator.</summary>
internal sealed class PictureGenerator : IImageGenerator
{
    private const int MostPictures = 4096; // that a network makes together

    private readonly IPictureSource _source;
    private readonly ServedModel _served;
    private readonly ImageGeneratorMetadata _metadata;

    public PictureGenerator(IPictureSource source, object model, string? modelId, bool ownsModel)
    {
        _source = source;
        _served = new ServedModel(model, modelId ?? source.NetworkName, ownsModel);
        _metadata = new ImageGeneratorMetadata(ServedModel.ProviderName, defaultModelId: _served.ModelId);
    }

    public Task<ImageGenerationResponse> GenerateAsync(
        ImageGenerationRequest request, ImageGenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        return Task.Run(() => Generate(request, options ?? new(), cancellationToken), cancellationToken);
    }

    public object? GetService(Type serviceType, object? serviceKey = null) =>
        _served.Find(serviceType, serviceKey, this, _metadata, _source);

    public void Dispose() => _served.Dispose();

    private ImageGenerationResponse Generate(
        ImageGenerationRequest request, ImageGenerationOptions options, CancellationToken cancellationToken)
    {
        _served.Check(this, options.ModelId);
        var side = _source.PictureSide;
        Refused.If(
            request.OriginalImages?.Any() == true, nameof(request.OriginalImages),
            "pictures are completed and varied by a pipeline with a column of images.");
        Refused.If(
            options.ImageSize is { } size && (size.Width != side || size.Height != side), nameof(options.ImageSize),
            $"the model's pictures have {side} x {side} pixels.");
        Refused.If(
            options.ResponseFormat is not (null or ImageGenerationResponseFormat.Data), nameof(options.ResponseFormat),
            "pictures are given as data.");
        Refused.If(options.StreamingCount > 0, nameof(options.StreamingCount), "there are no pictures before the last.");
        var count = options.Count ?? 1;
        if (count is < 1 or > MostPictures)
            throw new ArgumentException($"{nameof(options.Count)} is {count}; expected 1 to {MostPictures}.", nameof(options));
        var format = PictureFormat.Of(options.MediaType);
        var raw = Refused.Raw<Torch.Generation.Images.ImageGenerationOptions?>(options.RawRepresentationFactory?.Invoke(this), null);
        var pictures = _source.MakePictures(
            request.Prompt, count, RequestSeed.Of(options.AdditionalProperties), raw, cancellationToken);
        var contents = new List<AIContent>();
        foreach (var picture in pictures)
        {
            using (picture)
                contents.Add(format.Encode(picture));
        }

        return new ImageGenerationResponse(contents);
    }
}
