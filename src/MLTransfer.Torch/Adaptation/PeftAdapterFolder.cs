using System.Text.Json;
using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Checkpoints.Safetensors;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks;
using MLTransfer.Torch.Networks.Transformers;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Adaptation;

/// <summary>
/// Reads and writes LoRA adapters in the layout of Hugging Face peft: <c>adapter_config.json</c> and <c>adapter_model.safetensors</c>.
/// </summary>
public static class PeftAdapterFolder
{
    /// <summary>The name of the file that describes the adapters.</summary>
    public const string ConfigurationFileName = "adapter_config.json";

    /// <summary>The name of the file with the adapters' matrices.</summary>
    public const string WeightsFileName = "adapter_model.safetensors";

    /// <summary>What peft puts before the names of the base model's layers.</summary>
    internal const string NamePrefix = "base_model.model.";

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    /// <summary>Attaches the adapters of a folder to a model; the model's own parameters become frozen.</summary>
    /// <exception cref="InvalidDataException">A file is malformed or does not fit the model, which is as it was then.</exception>
    /// <exception cref="NotSupportedException">The adapters are of a kind other than plain LoRA.</exception>
    /// <exception cref="ArgumentException">The model has adapters already.</exception>
    public static void Load(GenerativeNetwork model, string folder)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(folder);
        var path = Path.Combine(folder, ConfigurationFileName);
        if (!File.Exists(path))
            throw new FileNotFoundException(
                $"{folder} has no {ConfigurationFileName}. Give a folder that peft or {nameof(Save)} wrote.", path);
        var configuration = JsonContent.ParseObject(FileKind.Configuration.Read(path), path);
        using var weights = SafetensorsFile.Open(Path.Combine(folder, WeightsFileName));
        Load(model, configuration, weights, folder);
    }

    /// <summary>Attaches adapters to a model; the model's own parameters become frozen.</summary>
    /// <param name="model">The base model.</param>
    /// <param name="configuration">The content of <c>adapter_config.json</c>.</param>
    /// <param name="weights">The content of <c>adapter_model.safetensors</c>.</param>
    /// <param name="origin">The folder or file, for error messages.</param>
    public static void Load(GenerativeNetwork model, JsonObject configuration, Checkpoint weights, string origin)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(configuration);
        ArgumentNullException.ThrowIfNull(weights);
        var options = ParseConfiguration(configuration, origin);
        var expected = new HashSet<string>(weights.Tensors.Keys);
        var adapters = new List<(Linear Layer, LoraAdapter Adapter)>();
        try
        {
            foreach (var (name, layer) in Targets())
            {
                var a = Read($"{NamePrefix}{name}.lora_A.weight", options.Rank, layer.InputWidth);
                var b = Read($"{NamePrefix}{name}.lora_B.weight", layer.OutputWidth, options.Rank);
                adapters.Add((layer, new LoraAdapter(a, b, options.Scale, options.Dropout)));
            }

            if (expected.Count > 0)
                throw new InvalidDataException(
                    $"{origin}: {WeightsFileName} has the tensor '{expected.Min()}', which no target module of the model takes.");
        }
        catch
        {
            adapters.ForEach(a => a.Adapter.Dispose());
            throw;
        }

        LowRankAdaptation.Attach(model, options, adapters);

        IReadOnlyList<(string Name, Linear Layer)> Targets()
        {
            if (model.Lora is not null)
                throw new ArgumentException("The model has LoRA adapters already. Merge them first.", nameof(model));
            try
            {
                return LowRankAdaptation.Targets(model, options.TargetModules!);
            }
            catch (ArgumentException exception)
            {
                throw new InvalidDataException($"{origin}: {exception.Message}", exception);
            }
        }

        Tensor Read(string name, long rows, long columns)
        {
            if (!weights.Tensors.TryGetValue(name, out var info))
                throw new InvalidDataException(
                    $"{origin}: {WeightsFileName} has no tensor '{name}'. The adapter was made for another model.");
            if (!info.Shape.SequenceEqual([rows, columns]))
            {
                throw new InvalidDataException(
                    $"{origin}: tensor '{name}' has shape [{string.Join(", ", info.Shape)}]; expected [{rows}, {columns}].");
            }

            expected.Remove(name);
            using var stored = weights.Read(name);
            return stored.to(model.DataType, model.Device, copy: true);
        }
    }

    /// <summary>Gives a model adapters of its own with the values that another model's have.</summary>
    /// <param name="source">A model with adapters.</param>
    /// <param name="target">A model of the same form, without.</param>
    internal static void Copy(GenerativeNetwork source, GenerativeNetwork target)
    {
        using var weights = new TensorCheckpoint("the adapters in memory", Tensors(source));
        Load(target, JsonNode.Parse(FormatConfiguration(source, baseModel: null))!.AsObject(), weights, weights.Location);
    }

    /// <summary>Writes the model's adapters into an existing folder.</summary>
    /// <param name="model">A model with adapters.</param>
    /// <param name="folder">An existing folder.</param>
    /// <param name="baseModel">The folder or hub id of the base model, for <c>base_model_name_or_path</c>.</param>
    public static void Save(GenerativeNetwork model, string folder, string? baseModel = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(folder);
        using var hold = model.Hold();
        AtomicFile.WriteAllText(Path.Combine(folder, ConfigurationFileName), FormatConfiguration(model, baseModel));
        SafetensorsWriter.Write(Path.Combine(folder, WeightsFileName), Tensors(model));
    }

    /// <summary>The adapters' matrices under their names in <c>adapter_model.safetensors</c>.</summary>
    public static IEnumerable<KeyValuePair<string, Tensor>> Tensors(GenerativeNetwork model) =>
        model.AdapterParameters().Select(p => KeyValuePair.Create(NamePrefix + p.name, (Tensor)p.parameter));

    /// <summary>The content of <c>adapter_config.json</c>.</summary>
    /// <exception cref="InvalidOperationException">The model has no adapters.</exception>
    public static string FormatConfiguration(GenerativeNetwork model, string? baseModel)
    {
        ArgumentNullException.ThrowIfNull(model);
        var options = model.Lora ?? throw new InvalidOperationException("The model has no LoRA adapters to save.");
        var inputByOutput = model.AdaptedLayers().All(l => l.Layer.Layout == WeightLayout.InputByOutput);
        return new JsonObject
        {
            ["peft_type"] = "LORA",
            ["task_type"] = TaskType(model),
            ["base_model_name_or_path"] = baseModel,
            ["bias"] = "none",
            ["fan_in_fan_out"] = inputByOutput,
            ["inference_mode"] = true,
            ["init_lora_weights"] = true,
            ["lora_alpha"] = options.Alpha,
            ["lora_dropout"] = options.Dropout,
            ["r"] = options.Rank,
            ["target_modules"] = options.TargetModules is ["all-linear"]
                ? "all-linear" : new JsonArray([.. options.TargetModules!.Select(t => (JsonNode)t)]),
            ["use_dora"] = false,
            ["use_rslora"] = options.RankStabilized,
        }.ToJsonString(Indented) + "\n";
    }

    private static string? TaskType(GenerativeNetwork model) => model switch
    {
        CausalLanguageModel => "CAUSAL_LM",
        EncoderDecoderModel => "SEQ_2_SEQ_LM",
        _ => null,
    };

    private static LoraOptions ParseConfiguration(JsonObject json, string origin)
    {
        try
        {
            Require("peft_type", "LORA");
            if (json["bias"] is { } bias && bias.GetValue<string>() != "none")
                throw Unsupported("bias", bias);
            foreach (var flag in (string[])["use_dora", "lora_bias", "use_qalora", "use_bdlora"])
            {
                if (json[flag] is { } value && value.GetValue<bool>())
                    throw Unsupported(flag, value);
            }

            foreach (var pattern in (string[])["rank_pattern", "alpha_pattern"])
            {
                if (json[pattern] is JsonObject { Count: > 0 } value)
                    throw Unsupported(pattern, value);
            }

            foreach (var setting in (string[])[
                "modules_to_save", "layers_to_transform", "layer_replication", "exclude_modules", "target_parameters",
                "trainable_token_indices",
                "alora_invocation_tokens", "arrow_config", "kasa_config", "monteclora_config", "velora_config"])
            {
                if (json[setting] is { } value)
                    throw Unsupported(setting, value);
            }

            // The other ways to start (pissa, olora, corda, loftq, ...) change the base weights too, which the file does not hold.
            if (json["init_lora_weights"] is JsonValue start && start.TryGetValue<string>(out var way)
                && way is not ("gaussian" or "eva" or "orthogonal"))
                throw Unsupported("init_lora_weights", start);

            var options = new LoraOptions
            {
                Rank = Present("r").GetValue<int>(),
                Alpha = Present("lora_alpha").GetValue<double>(),
                Dropout = json["lora_dropout"]?.GetValue<double>() ?? 0,
                RankStabilized = json["use_rslora"]?.GetValue<bool>() ?? false,
                TargetModules = Present("target_modules") is JsonArray modules
                    ? [.. modules.Select(m => m!.GetValue<string>())]
                    : [Present("target_modules").GetValue<string>()],
            };
            options.Check();
            return options;
        }
        catch (Exception exception) when (exception is FormatException or InvalidOperationException or NullReferenceException
            or ArgumentException)
        {
            throw new InvalidDataException($"{origin}: {ConfigurationFileName} is malformed: {exception.Message}", exception);
        }

        JsonNode Present(string name) =>
            json[name] ?? throw new InvalidDataException($"{origin}: {ConfigurationFileName} has no entry '{name}'.");

        void Require(string name, string value)
        {
            if (Present(name).GetValue<string>() != value)
                throw Unsupported(name, Present(name));
        }

        NotSupportedException Unsupported(string name, JsonNode value) =>
            new(
                $"{origin}: {ConfigurationFileName} has {name} = {value.ToJsonString()}, which is not supported: "
                + "only plain LoRA on linear layers is.");
    }
}
