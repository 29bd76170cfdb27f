using System.IO.Compression;
using System.Text.Json;
using MLTransfer.Experiments;

namespace MLTransfer.Tests.Experiments;

/// <summary>What Optuna's samplers, pruners, Pareto fronts and importances give.</summary>
internal static class TunerReferences
{
    public static JsonElement Read(string name)
    {
        using var archive = ZipFile.OpenRead(RepositoryFiles.Data("tuners/references.zip"));
        using var stream = archive.GetEntry(name)!.Open();
        using var document = JsonDocument.Parse(stream);
        return document.RootElement.Clone();
    }

    /// <summary>The parameters of a study as a search space.</summary>
    public static SearchSpace SpaceOf(JsonElement parameters)
    {
        var space = new SearchSpace();
        foreach (var parameter in parameters.EnumerateArray())
        {
            var option = OptionOf(parameter);
            if (parameter.TryGetProperty("when", out var when))
            {
                foreach (var condition in when.EnumerateObject())
                    option.When(condition.Name, condition.Value.GetString()!);
            }

            space.Add(parameter.GetProperty("name").GetString()!, option);
        }

        return space;
    }

    public static double Number(this JsonElement element) => element.ValueKind == JsonValueKind.Null ? double.NaN : element.GetDouble();

    public static double Number(this JsonElement element, string name) => element.GetProperty(name).Number();

    public static double[] Numbers(this JsonElement element) => [.. element.EnumerateArray().Select(Number)];

    public static int[] Integers(this JsonElement element) => [.. element.EnumerateArray().Select(item => item.GetInt32())];

    private static OptionBase OptionOf(JsonElement parameter)
    {
        var isLogarithmic = parameter.TryGetProperty("log", out var log) && log.GetBoolean();
        var step = parameter.TryGetProperty("step", out var stepped) ? stepped.GetDouble() : 0;
        return parameter.GetProperty("type").GetString() switch
        {
            "categorical" => new ChoiceOption([.. parameter.GetProperty("choices").EnumerateArray().Select(Parameter.FromJson)]),
            "int" => new UniformIntOption(
                (int)parameter.Number("low"), (int)parameter.Number("high"), isLogarithmic, stepSize: (int)step),
            _ => new UniformDoubleOption(parameter.Number("low"), parameter.Number("high"), isLogarithmic, stepSize: step),
        };
    }
}
