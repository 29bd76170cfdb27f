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

    /// <summary>What follows the name of an embedding whose whole table peft has stored beside the rows that were trained.</summary>
    private const string StoredTable = "token_adapter.base_layer.weight";

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
        var options = PeftConfiguration.Parse(configuration, $"{origin}: {ConfigurationFileName}");
        var expected = new HashSet<string>(weights.Tensors.Keys);
        var adapters = new List<(Linear Layer, LoraAdapter Adapter)>();
        var trained = new List<(Tensor Parameter, Tensor Value)>();
        var tokens = new List<(nn.Module Module, Tensor Values)>();
        try
        {
            foreach (var (name, layer) in Targets())
            {
                var rank = options.RankOf(name);
                var a = Read($"{NamePrefix}{name}.lora_A.weight", rank, layer.InputWidth);
                var b = Read($"{NamePrefix}{name}.lora_B.weight", layer.OutputWidth, rank);
                var magnitude = options.WeightDecomposed
                    ? Read($"{NamePrefix}{name}.{LoraAdapter.MagnitudeName}", layer.OutputWidth) : null;
                adapters.Add((layer, new LoraAdapter(a, b, magnitude, options.ScaleOf(name), options.Dropout)));
            }

            foreach (var name in Fitting(() => LoraTargets.TrainedParameters(model, options).ToList()))
            {
                var parameter = model.get_parameter(name)!;
                trained.Add((parameter, Read(NamePrefix + name, parameter.shape)));
            }

            foreach (var (name, module) in Fitting(() => TrainedTokens.Modules(model, options)))
            {
                tokens.Add((module, Read(
                    $"{NamePrefix}{name}.{TokenRows.Name}", options.TrainedTokens.Count, TrainedTokens.TableOf(module).shape[1])));
                expected.Remove($"{NamePrefix}{name}.{StoredTable}"); // written where the base was given tokens; its rows are the base's
            }

            if (expected.Count > 0)
                throw new InvalidDataException(
                    $"{origin}: {WeightsFileName} has the tensor '{expected.Min()}', which no target module of the model takes.");
        }
        catch
        {
            adapters.ForEach(a => a.Adapter.Dispose());
            trained.ForEach(t => t.Value.Dispose());
            tokens.ForEach(t => t.Values.Dispose());
            throw;
        }

        LowRankAdaptation.Attach(model, options, adapters);
        foreach (var (module, values) in tokens)
            TrainedTokens.Attach(module, options.TrainedTokens, values);
        using (no_grad())
        {
            foreach (var (parameter, value) in trained)
            {
                parameter.copy_(value);
                value.Dispose();
            }
        }

        IReadOnlyList<(string Name, Linear Layer)> Targets() => model.Lora is null
            ? Fitting(() => LoraTargets.Find(model, options))
            : throw new ArgumentException("The model has LoRA adapters already. Merge them first.", nameof(model));

        T Fitting<T>(Func<T> find)
        {
            try
            {
                return find();
            }
            catch (ArgumentException exception)
            {
                throw new InvalidDataException($"{origin}: {exception.Message}", exception);
            }
        }

        Tensor Read(string name, params long[] shape)
        {
            if (!weights.Tensors.TryGetValue(name, out var info))
                throw new InvalidDataException(
                    $"{origin}: {WeightsFileName} has no tensor '{name}'. The adapter was made for another model.");
            if (!info.Shape.SequenceEqual(shape))
            {
                throw new InvalidDataException(
                    $"{origin}: tensor '{name}' has shape [{string.Join(", ", info.Shape)}]; expected [{string.Join(", ", shape)}].");
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
        Load(target, Configuration(source, baseModel: null), weights, weights.Location);
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

    /// <summary>
    /// What training changes under its names in <c>adapter_model.safetensors</c>: the adapters, and modules that are trained whole. Nothing
    /// where the model has no adapters.
    /// </summary>
    public static IEnumerable<KeyValuePair<string, Tensor>> Tensors(GenerativeNetwork model)
    {
        ArgumentNullException.ThrowIfNull(model);
        if (model.Lora is not { } options)
            return [];
        var trained = LoraTargets.TrainedParameters(model, options).ToHashSet();
        return model.AdapterParameters().Concat(model.named_parameters().Where(parameter => trained.Contains(parameter.name)))
            .Select(p => KeyValuePair.Create(NamePrefix + p.name, (Tensor)p.parameter));
    }

    /// <summary>The content of <c>adapter_config.json</c>.</summary>
    /// <exception cref="InvalidOperationException">The model has no adapters.</exception>
    public static string FormatConfiguration(GenerativeNetwork model, string? baseModel)
    {
        ArgumentNullException.ThrowIfNull(model);
        return Configuration(model, baseModel).ToJsonString(Indented) + "\n";
    }

    private static JsonObject Configuration(GenerativeNetwork model, string? baseModel)
    {
        var inputByOutput = model.AdaptedLayers().All(l => l.Layer.Layout == WeightLayout.InputByOutput);
        return PeftConfiguration.Format(
            OptionsOf(model), baseModel, TaskType(model), inputByOutput,
            [.. TrainedTokens.Modules(model, OptionsOf(model)).Select(module => module.Name[(module.Name.LastIndexOf('.') + 1)..])]);
    }

    private static LoraOptions OptionsOf(GenerativeNetwork model) =>
        model.Lora ?? throw new InvalidOperationException("The model has no LoRA adapters to save.");

    private static string? TaskType(GenerativeNetwork model) => model switch
    {
        CausalLanguageModel => "CAUSAL_LM",
        EncoderDecoderModel => "SEQ_2_SEQ_LM",
        _ => null,
    };
}
