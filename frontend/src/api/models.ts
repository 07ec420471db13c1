/** Model files on the server, for administrators. */

import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';

import { http, unwrap } from './client';
import { keys } from './keys';
import type { ManagedModel, ManagedModels } from './types';

const at = (name: string) => ({ params: { path: { name } } });

/** Asked again each second, but only while something is being fetched. */
export const modelsQuery = queryOptions({
  queryKey: keys.models,
  queryFn: () => unwrap(http.GET('/api/admin/models')),
  refetchInterval: (query) =>
    query.state.data?.items.some((model) => model.state === 'downloading') ? 1000 : false,
});

export function useModelActions() {
  const cache = useQueryClient();
  const settle = async () => {
    // What the upload form may offer depends on the models as well.
    void cache.invalidateQueries({ queryKey: keys.options });
    await cache.invalidateQueries({ queryKey: keys.models });
  };
  const put = (model: ManagedModel) => {
    cache.setQueryData<ManagedModels>(keys.models, (known) =>
      known
        ? {
            ...known,
            items: known.items.map((item) => (item.name === model.name ? model : item)),
          }
        : known,
    );
  };
  const download = useMutation({
    mutationFn: (name: string) => unwrap(http.POST('/api/admin/models/{name}/download', at(name))),
    onSuccess: put,
    onSettled: settle,
  });
  const verify = useMutation({
    mutationFn: (name: string) => unwrap(http.POST('/api/admin/models/{name}/verify', at(name))),
    onSuccess: put,
    onSettled: settle,
  });
  const remove = useMutation({
    mutationFn: (name: string) => unwrap(http.DELETE('/api/admin/models/{name}', at(name))),
    onSettled: settle,
  });
  return { download, verify, remove };
}
