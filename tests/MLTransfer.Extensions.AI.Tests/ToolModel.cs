using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;
using Microsoft.ML;
using MLTransfer.Tests.Text.Chats;
using MLTransfer.Torch.Training;

namespace MLTransfer.Extensions.AI.Tests;

/// <summary>A tiny model that has learned to ask for the weather of Paris, and to tell it.</summary>
internal static class ToolModel
{
    public const string Question = "Is it warm in Paris?";

    /// <summary>Counts how often it is called.</summary>
    public static AIFunction Weather(Action? called = null) => AIFunctionFactory.Create(
        (string city) =>
        {
            called?.Invoke();
            return $"sunny in {city}";
        }, "get_weather", "Tells the weather.");

    private static readonly ConcurrentDictionary<string, byte[]> s_zips = new(); // of a dialect

    /// <summary>The model, loaded from its zip.</summary>
    public static ITransformer Load(TemporaryFolder folder, string dialect) => new MLContext().Model.Load(Zip(folder, dialect), out _);

    /// <summary>The path of the model's zip.</summary>
    public static string Zip(TemporaryFolder folder, string dialect)
    {
        File.WriteAllBytes(folder["tools.zip"], s_zips.GetOrAdd(dialect, _ => Train(folder, dialect)));
        return folder["tools.zip"];
    }

    private static byte[] Train(TemporaryFolder folder, string dialect)
    {
        var ml = new MLContext(seed: 1);
        var path = TinyChatModel.Make(folder[dialect], dialect);
        var weather = Weather();
        JsonObject Call() => new()
        {
            ["role"] = "assistant",
            ["content"] = null,
            ["tool_calls"] = new JsonArray(new JsonObject
            {
                ["id"] = "abcdefg12", ["type"] = "function", ["function"] = new JsonObject
                {
                    ["name"] = weather.Name, ["arguments"] = new JsonObject { ["city"] = "Paris" },
                },
            }),
        };
        JsonObject Said(string role, string words) => new() { ["role"] = role, ["content"] = words };
        string Chat(params JsonObject[] messages) => new JsonObject
        {
            ["messages"] = new JsonArray(messages),
            ["tools"] = new JsonArray(new JsonObject
            {
                ["type"] = "function",
                ["function"] = new JsonObject
                {
                    ["name"] = weather.Name, ["description"] = weather.Description,
                    ["parameters"] = JsonSerializer.SerializeToNode(weather.JsonSchema),
                },
            }),
        }.ToJsonString();
        var chat = Chat(Said("user", Question), Call(), new JsonObject
        {
            ["role"] = "tool", ["content"] = "sunny in Paris", ["tool_call_id"] = "abcdefg12", ["name"] = weather.Name,
        }, Said("assistant", "It is sunny."));
        var rows = ml.Data.LoadFromEnumerable([new TextRow { Prompt = chat }]);
        using var model = ml.Transforms.Text.FineTuneTextGenerator("Answer", options: new()
        {
            PretrainedModel = path, ChatColumnName = "Prompt", ValidationFraction = 0, Generation = new() { MaximumNewTokens = 100 },
            Training = new() { NumberOfEpochs = 100, LearningRate = 5e-3, Precision = Precision.Float32 },
        }).Fit(rows);
        ml.Generation.Save(model, rows.Schema, folder["trained.zip"]);
        return File.ReadAllBytes(folder["trained.zip"]);
    }
}
