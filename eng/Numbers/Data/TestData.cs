using System.Text.Json.Nodes;
using Numbers.Settings;

namespace Numbers.Data;

/// <summary>Files of tests/data, and rows made by fixed rules.</summary>
internal static class TestData
{
    public static string Folder { get; set; } = "";

    public static string Tiny => File("gpt2-tiny");

    public static string File(string name) => Path.Combine(Folder, name);

    public static string Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var data = Path.Combine(folder.FullName, "tests", "data");
            if (Directory.Exists(data))
                return data;
        }

        throw new DirectoryNotFoundException($"No folder above {AppContext.BaseDirectory} has tests/data; name one with --data.");
    }

    public static string Mars => System.IO.File.ReadAllText(File("mars-excerpt.txt"));

    /// <summary>Rows of 6 to 20 tokens from a small part of the vocabulary, so that there is something to learn.</summary>
    public static TextRow[] Rows(int count, int seed)
    {
        var random = new Random(seed);
        return
        [
            .. Enumerable.Range(0, count)
                .Select(_ => Enumerable.Range(0, random.Next(6, 21)).Select(_ => random.Next(100, 140)).ToArray())
                .Select(ids => new TextRow(ids)),
        ];
    }

    /// <summary>The rows and arguments of a reference training.</summary>
    public static (TextRow[] Rows, TextTraining Settings) Reference(string name)
    {
        var json = JsonNode.Parse(System.IO.File.ReadAllText(File($"gpt2-tiny/{name}.json")))!;
        var arguments = json["arguments"]!;
        return (
            [.. json["input_ids"]!.AsArray().Select(row => new TextRow([.. row!.AsArray().Select(id => id!.GetValue<int>())]))],
            new TextTraining
            {
                Epochs = arguments["num_train_epochs"]!.GetValue<int>(),
                BatchSize = arguments["per_device_train_batch_size"]!.GetValue<int>(),
                Accumulation = arguments["gradient_accumulation_steps"]?.GetValue<int>() ?? 1,
                LearningRate = arguments["learning_rate"]!.GetValue<double>(),
                WeightDecay = arguments["weight_decay"]!.GetValue<double>(),
                WarmupSteps = arguments["warmup_steps"]!.GetValue<int>(),
                Schedule = arguments["lr_scheduler_type"]!.GetValue<string>(),
                MaximumGradientNorm = arguments["max_grad_norm"]!.GetValue<double>(),
                Shuffle = false,
            });
    }

    /// <summary>Configurations of GPT-2 that take other paths through the code, less what they have in common.</summary>
    public static (string Name, JsonObject Configuration)[] Variants { get; } =
    [
        .. new (string Name, string Changes)[]
        {
            ("quick_gelu", """{"activation_function": "quick_gelu"}"""),
            ("silu", """{"activation_function": "silu"}"""),
            ("relu", """{"activation_function": "relu"}"""),
            ("gelu", """{"activation_function": "gelu"}"""),
            ("unscaled", """{"scale_attn_weights": false}"""),
            ("upcast", """{"scale_attn_by_inverse_layer_idx": true, "reorder_and_upcast_attn": true}"""),
            ("untied", """{"n_inner": 50, "tie_word_embeddings": false}"""),
        }.Select(variant =>
        {
            var configuration = JsonNode.Parse(
                """
                {"model_type": "gpt2", "architectures": ["GPT2LMHeadModel"], "n_embd": 40, "n_head": 4, "n_layer": 2, "n_positions": 64,
                 "vocab_size": 199, "activation_function": "gelu_new", "initializer_range": 0.3, "layer_norm_epsilon": 1e-5}
                """)!.AsObject();
            foreach (var (name, value) in JsonNode.Parse(variant.Changes)!.AsObject())
                configuration[name] = value?.DeepClone();
            return (variant.Name, configuration);
        }),
    ];
}
