using System.Text.Json;
using MLTransfer.Experiments;

namespace MLTransfer.Tests.Experiments;

/// <summary>A function of a search space that tuners make small.</summary>
/// <param name="Name">What the reference calls it.</param>
/// <param name="Space">What is chosen.</param>
/// <param name="Function">Of chosen values.</param>
internal sealed record Objective(string Name, SearchSpace Space, Func<Parameter, double> Function)
{
    public static IReadOnlyList<Objective> All { get; } = [.. TunerReferences.Read("objectives.json").GetProperty("objectives")
        .EnumerateObject().Select(entry => new Objective(
            entry.Name, TunerReferences.SpaceOf(entry.Value.GetProperty("parameters")), FunctionOf(entry)))];

    /// <summary>The smallest loss of so many trials of a tuner.</summary>
    public double BestOf(ITuner tuner, int trials)
    {
        var best = double.PositiveInfinity;
        for (var trial = 0; trial < trials; trial++)
        {
            var settings = new TrialSettings { TrialId = trial };
            settings.Parameter = tuner.Propose(settings)!;
            var loss = Function(settings.Parameter);
            best = Math.Min(best, loss);
            tuner.Update(new TrialResult { TrialSettings = settings, Loss = loss });
        }

        return best;
    }

    private static Func<Parameter, double> FunctionOf(JsonProperty objective) => objective.Name switch
    {
        "branin" => p => Branin(p["x1"].AsType<double>(), p["x2"].AsType<double>()),
        "hartmann6" => Hartmann(objective.Value.GetProperty("constants")),
        "rosenbrock4" => p => Rosenbrock(Vector(p, 4)),
        "ackley5" => p => Ackley(Vector(p, 5)),
        "mixed" => Mixed,
        "surface" => Surface(Flatten(TunerReferences.Read("surface.json").GetProperty("table")).ToArray()),
        _ => throw new ArgumentException($"Unknown objective '{objective.Name}'.", nameof(objective)),
    };

    private static double[] Vector(Parameter parameter, int size) =>
        [.. Enumerable.Range(1, size).Select(i => parameter[$"x{i}"].AsType<double>())];

    private static double Branin(double x1, double x2)
    {
        var inner = x2 - 5.1 / (4 * Math.PI * Math.PI) * x1 * x1 + 5 / Math.PI * x1 - 6;
        return inner * inner + 10 * (1 - 1 / (8 * Math.PI)) * Math.Cos(x1) + 10;
    }

    private static Func<Parameter, double> Hartmann(JsonElement constants)
    {
        var alpha = constants.GetProperty("alpha").Numbers();
        double[][] a = [.. constants.GetProperty("A").EnumerateArray().Select(row => row.Numbers())];
        double[][] p = [.. constants.GetProperty("P").EnumerateArray().Select(row => row.Numbers())];
        return parameter =>
        {
            var x = Vector(parameter, 6);
            return -alpha.Select((weight, i) => weight * Math.Exp(-x.Select((xj, j) => a[i][j] * Square(xj - p[i][j])).Sum())).Sum();
        };
    }

    private static double Rosenbrock(double[] x) =>
        Enumerable.Range(0, x.Length - 1).Sum(i => 100 * Square(x[i + 1] - x[i] * x[i]) + Square(1 - x[i]));

    private static double Ackley(double[] x) => -20 * Math.Exp(-0.2 * Math.Sqrt(x.Average(Square)))
        - Math.Exp(x.Average(xi => Math.Cos(2 * Math.PI * xi))) + 20 + Math.E;

    private static double Mixed(Parameter parameter)
    {
        double Number(string name) => parameter[name].AsType<double>();
        var (layers, schedule) = (Number("layers"), parameter["schedule"].AsType<string>());
        var common = 1 + (schedule == "constant" ? 0.12 : schedule == "linear" ? 0.03 : 0) + 0.05 * Square(layers - 5)
            + 2.5 * Square(Number("dropout") - 0.04 * layers)
            + 0.08 * Square(Math.Log10(Number("weight_decay")) + 3.5 - 0.1 * (layers - 5));
        if (parameter["optimizer"].AsType<string>() == "adam")
        {
            return common + 0.5 * Square(Math.Log10(Number("adam_rate")) + 2.8 + 0.08 * (layers - 5))
                + 6 * Square(Number("adam_beta") - 0.88);
        }

        var momentum = Number("momentum") - 0.9;
        return common + 0.06 + 0.45 * Square(Math.Log10(Number("sgd_rate")) + 1.3 + 0.9 * momentum) + 0.7 * Square(momentum);
    }

    /// <summary>A logged fine-tuning run per cell.</summary>
    private static Func<Parameter, double> Surface(double[] table) => parameter =>
    {
        var rate = (int)Math.Clamp(Math.Floor((Math.Log10(parameter["learning_rate"].AsType<double>()) + 5) / 3 * 60 + 0.5), 0, 60);
        var rank = Array.IndexOf([2, 4, 8, 16], parameter["rank"].AsType<int>());
        var dropout = parameter["dropout"].AsType<double>() == 0 ? 0 : 1;
        var freeze = Array.IndexOf(["none", "embeddings", "half"], parameter["freeze"].AsType<string>());
        return table[(((rate * 4 + rank) * 4 + parameter["epochs"].AsType<int>() - 1) * 2 + dropout) * 3 + freeze];
    };

    private static IEnumerable<double> Flatten(JsonElement table) =>
        table.ValueKind == JsonValueKind.Array ? table.EnumerateArray().SelectMany(Flatten) : [table.GetDouble()];

    private static double Square(double x) => x * x;
}
