namespace MLTransfer.Experiments.Running;

/// <summary>What factories and constructors of tuners, runners and monitors may ask for, by type.</summary>
/// <param name="seed">Decides what tuners draw.</param>
/// <param name="others">What there is beside it.</param>
internal sealed class ExperimentServices(long seed, params object[] others) : IServiceProvider
{
    private readonly object[] _services = [seed, .. others];

    public long Seed => seed;

    public object? GetService(Type serviceType) =>
        serviceType == typeof(IServiceProvider) ? this : _services.FirstOrDefault(serviceType.IsInstanceOfType);

    /// <summary>Makes an object by its constructor with the most parameters that all can be given.</summary>
    /// <exception cref="InvalidOperationException">There is no such constructor.</exception>
    public T Create<T>()
        where T : class
    {
        foreach (var constructor in typeof(T).GetConstructors().OrderByDescending(constructor => constructor.GetParameters().Length))
        {
            var arguments = constructor.GetParameters().Select(parameter => GetService(parameter.ParameterType)
                ?? (parameter.HasDefaultValue ? parameter.DefaultValue : null)).ToArray();
            if (arguments.Zip(constructor.GetParameters()).All(pair => pair.First is not null || pair.Second.HasDefaultValue))
                return (T)constructor.Invoke(arguments);
        }

        throw new InvalidOperationException(
            $"{typeof(T).Name} has no public constructor whose parameters are all among "
            + $"{string.Join(", ", _services.Select(service => service.GetType().Name))}. Give an instance or a factory.");
    }
}
