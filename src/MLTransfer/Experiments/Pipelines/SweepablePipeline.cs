using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLTransfer.Experiments;

/// <summary>Estimators one after another, each with options that an experiment chooses, or one of several that it chooses among.</summary>
public sealed class SweepablePipeline
{
    private readonly List<(string Name, SweepableEstimator Estimator)[]> _stages = [];

    /// <summary>The estimators by the names of their options: <c>e0</c>, <c>e1</c> and so on.</summary>
    public IReadOnlyDictionary<string, SweepableEstimator> Estimators =>
        _stages.SelectMany(stage => stage).ToDictionary(entry => entry.Name, entry => entry.Estimator);

    /// <summary>
    /// The options of each estimator by its name; where there are several to choose among, their names are the choices of <c>stage0</c>,
    /// <c>stage1</c> and so on, and the options of an estimator mean something where it is chosen.
    /// </summary>
    public SearchSpace SearchSpace
    {
        get
        {
            var space = new SearchSpace();
            foreach (var (number, stage) in _stages.Index())
            {
                if (stage.Length > 1)
                    space.Add(StageName(number), new ChoiceOption([.. stage.Select(entry => entry.Name)]));
                foreach (var (name, estimator) in stage.Where(entry => entry.Estimator.SearchSpace.Count > 0))
                {
                    var options = new SearchSpace([.. estimator.SearchSpace]);
                    space.Add(name, stage.Length > 1 ? options.When(StageName(number), name) : options);
                }
            }

            return space;
        }
    }

    /// <summary>Adds an estimator, or several of which the experiment chooses one.</summary>
    /// <returns>A new pipeline.</returns>
    public SweepablePipeline Append(params SweepableEstimator[] estimators)
    {
        ArgumentNullException.ThrowIfNull(estimators);
        if (estimators.Length == 0)
            throw new ArgumentException("There is no estimator to choose.", nameof(estimators));
        var result = new SweepablePipeline();
        result._stages.AddRange(_stages);
        var first = _stages.Sum(stage => stage.Length);
        result._stages.Add(
            [.. estimators.Select((estimator, i) => (string.Create(CultureInfo.InvariantCulture, $"e{first + i}"), estimator))]);
        return result;
    }

    /// <summary>Adds an estimator without anything to choose.</summary>
    /// <returns>A new pipeline.</returns>
    public SweepablePipeline Append(IEstimator<ITransformer> estimator)
    {
        ArgumentNullException.ThrowIfNull(estimator);
        return Append(new SweepableEstimator((_, _) => estimator, new SearchSpace()));
    }

    /// <summary>Adds the estimators of another pipeline.</summary>
    /// <returns>A new pipeline.</returns>
    public SweepablePipeline Append(SweepablePipeline pipeline)
    {
        ArgumentNullException.ThrowIfNull(pipeline);
        return pipeline._stages.Aggregate(this, (result, stage) => result.Append([.. stage.Select(entry => entry.Estimator)]));
    }

    /// <summary>Makes the estimators of chosen options.</summary>
    /// <param name="context">What they belong to.</param>
    /// <param name="parameter">Values of <see cref="SearchSpace"/>.</param>
    public EstimatorChain<ITransformer> BuildFromOption(MLContext context, Parameter parameter)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(parameter);
        var chain = new EstimatorChain<ITransformer>();
        foreach (var (number, stage) in _stages.Index())
        {
            var name = stage.Length > 1 ? parameter[StageName(number)].AsType<string>() : stage[0].Name;
            var estimator = stage.Single(entry => entry.Name == name).Estimator;
            var options = parameter.TryGetValue(name, out var chosen) ? chosen : Parameter.CreateNestedParameter();
            chain = chain.Append(estimator.BuildFromOption(context, options));
        }

        return chain;
    }

    private static string StageName(int number) => string.Create(CultureInfo.InvariantCulture, $"stage{number}");
}
