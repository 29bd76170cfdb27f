using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;

namespace Serve;

/// <summary>The web application.</summary>
public static class ServeApplication
{
    /// <param name="models">What is served; it stays the caller's.</param>
    /// <param name="url">Where; port 0 for a free one.</param>
    public static WebApplication Create(ServedModels models, string url)
    {
        ArgumentNullException.ThrowIfNull(models);
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls(url);
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        var application = builder.Build();
        var v1 = application.MapGroup("/v1").AddEndpointFilter(async (context, next) =>
        {
            try
            {
                return await next(context);
            }
            catch (Exception exception) when (Failure.Of(exception) is { } failure)
            {
                return failure;
            }
        });
        MapModels(v1, models);
        v1.MapPost("/chat/completions", (ChatRequest request, CancellationToken gone) =>
            ChatEndpoint.AnswerAsync(models.Chat, request, gone));
        v1.MapPost("/embeddings", (EmbeddingRequest request, CancellationToken gone) =>
            EmbeddingEndpoint.AnswerAsync(models.Embeddings, request, gone));
        v1.MapPost("/images/generations", (ImageRequest request, CancellationToken gone) =>
            ImageEndpoint.AnswerAsync(models.Images, request, gone));
        v1.MapPost("/audio/speech", (SpeechRequest request, CancellationToken gone) =>
            SpeechEndpoint.AnswerAsync(models.Speech, request, gone));
        return application;
    }

    private static void MapModels(RouteGroupBuilder v1, ServedModels models)
    {
        var started = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        object Described(string id) => new { id, @object = "model", created = started, owned_by = "mltransfer" };
        v1.MapGet("/models", () => TypedResults.Ok(new { @object = "list", data = models.Ids.Select(Described) }));
        v1.MapGet("/models/{id}", object (string id) =>
            models.Ids.Contains(id) ? TypedResults.Ok(Described(id)) : throw new UnknownModelException(id));
    }
}
