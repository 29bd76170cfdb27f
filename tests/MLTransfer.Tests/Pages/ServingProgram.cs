using Microsoft.ML;

namespace MLTransfer.Tests.Pages;

/// <summary>The programs of <c>docs/serving.md</c>. They are compiled into the process that a test starts.</summary>
internal static class ServingProgram
{
    public static void Run(string[] args)
    {
        #region An application that serves a model file
        var builder = WebApplication.CreateBuilder(args);
        builder.Services.AddSingleton(new MLContext());
        builder.Services.AddSingleton(services =>
            (TextContinuationTransformer)services.GetRequiredService<MLContext>().Model.Load("storyteller.zip", out _));
        var app = builder.Build();

        // Piece by piece, as server-sent events. Where the client goes away, the work ends before the next token.
        app.MapGet("/stream", (string opening, TextContinuationTransformer storyteller, CancellationToken aborted) =>
            TypedResults.ServerSentEvents(storyteller.StreamAsync(opening, aborted).Select(text => new { text })));

        // In one piece, by an engine of its own for each request: engines are for one thread, the model is for all.
        app.MapGet("/story", (string opening, TextContinuationTransformer storyteller, MLContext ml) =>
        {
            using var engine = ml.Model.CreatePredictionEngine<Opening, Story>(
                storyteller, new PredictionEngineOptions { OwnsTransformer = false }); // else it would dispose the model
            return engine.Predict(new Opening(opening)).Continuation;
        });

        app.Run();
        #endregion
    }
}
